/** The command palette: chats, actions and models, found by typing and chosen by keyboard. */

import {Dialog, closeDialog, dialog} from "./dialog.js";
import {html, useEffect, useId, useRef, useSignal} from "./html.js";
import {isComposing} from "./keys.js";
import {isHidden} from "../state/brand.js";
import {shownChats} from "../state/chats.js";
import {quillium} from "../state/client.js";
import {choose, openAt} from "../state/conversations.js";
import {chatId, isLocal, show} from "../state/route.js";
import {models} from "../state/session.js";
import {t} from "../state/words.js";

const MAX_SHOWN = 30;
const PAUSE_MS = 200; // after which the server is asked, too
const STEPS = {ArrowDown: 1, ArrowUp: -1};

const open = name => () => (dialog.value = {name});

function commands() {
  const id = chatId.value;
  const actions = [
    {label: t("chats.new"), run: () => show(null)},
    {label: t("manage.title"), run: open("manage")},
    {label: t("settings.title"), run: open("settings")},
    ...(isHidden("shortcuts") ? [] : [{label: t("shortcuts.title"), run: open("shortcuts")}]),
  ];
  const chats = shownChats.value.map(chat => ({label: chat.title, kind: t("chats.label"), key: chat.id, run: () => show(chat.id)}));
  const answering = id === null || isLocal(id) ? [] : models.value;
  const choices = answering.map(model => ({label: model.id, kind: t("model.label"), run: () => choose(id, model.id)}));
  return [...actions, ...chats, ...choices];
}

const folded = text => text.normalize("NFKC").toLocaleLowerCase();

function matching(all, query) {
  const words = folded(query).split(/\s+/).filter(Boolean);
  return all.filter(({label}) => words.every(word => folded(label).includes(word)));
}

export function Palette() {
  const query = useSignal("");
  const at = useSignal(0);
  const found = useSignal([]); // chats that the server found for the query
  const list = useRef(null);
  const id = useId();
  useEffect(() => {
    const searched = query.value.trim();
    found.value = [];
    if (!searched) return undefined;
    const timer = setTimeout(async () => {
      const path = `/chats?limit=${MAX_SHOWN}&q=${encodeURIComponent(searched)}`;
      const {data} = await quillium.call("GET", path).catch(() => ({data: []})); // what is here is shown anyway
      if (searched === query.value.trim()) found.value = data;
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query.value]);
  const here = matching(commands(), query.value);
  const known = new Set(here.map(({key}) => key));
  const others = found.value.filter(chat => !known.has(chat.id)).map(({id: key, title, match}) => ({
    label: title, kind: t("chats.label"), key, run: () => (match ? openAt(key, match.message_id) : show(key)),
  }));
  const shown = [...here, ...others].slice(0, MAX_SHOWN);
  const active = Math.min(at.value, shown.length - 1);
  useEffect(() => list.current.children[active]?.scrollIntoView({block: "nearest"}), [active]);
  const run = command => {
    closeDialog();
    command.run();
  };
  function press(event) {
    if (isComposing(event)) return;
    if (event.key === "Enter") {
      event.preventDefault();
      if (shown[active]) run(shown[active]);
    } else if (STEPS[event.key] && shown.length) {
      event.preventDefault();
      at.value = (active + STEPS[event.key] + shown.length) % shown.length;
    }
  }
  return html`
    <${Dialog} title=${t("palette.title")} className="small palette">
      <div>
        <input type="text" role="combobox" autofocus autocomplete="off" aria-label=${t("palette.label")}
          placeholder=${t("palette.label")} aria-expanded="true" aria-controls=${id} aria-autocomplete="list"
          aria-activedescendant=${shown.length ? `${id}-${active}` : undefined} onKeyDown=${press}
          onInput=${({target}) => ([query.value, at.value] = [target.value, 0])} />
        <ul ref=${list} id=${id} role="listbox" aria-label=${t("palette.title")}>
          ${shown.map((command, place) => html`
            <li id=${`${id}-${place}`} role="option" aria-selected=${place === active} onClick=${() => run(command)}>
              <span dir="auto">${command.label}</span> <small>${command.kind}</small>
            </li>`)}
        </ul>
        <p class="hint" role="status">${shown.length === 0 && t("chats.none_found", {query: query.value.trim()})}</p>
      </div>
    <//>`;
}
