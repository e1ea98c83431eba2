/** The command palette: chats, actions and models, found by typing and chosen by keyboard. */

import {Dialog, closeDialog} from "./dialog.js";
import {html, useEffect, useSignal} from "./html.js";
import {isComposing} from "./keys.js";
import {Options, matching, pageActions, useOptions} from "./options.js";
import {shownChats} from "../state/chats.js";
import {quillium} from "../state/client.js";
import {choose, openAt} from "../state/conversations.js";
import {chatId, isLocal, show} from "../state/route.js";
import {models} from "../state/session.js";
import {t} from "../state/words.js";

const MAX_SHOWN = 30;
const PAUSE_MS = 200; // after which the server is asked, too

function commands() {
  const id = chatId.value;
  const chats = shownChats.value.map(chat => ({label: chat.title, kind: t("chats.label"), key: chat.id, run: () => show(chat.id)}));
  const answering = id === null || isLocal(id) ? [] : models.value;
  const choices = answering.map(model => ({label: model.id, kind: t("model.label"), run: () => choose(id, model.id)}));
  return [...pageActions(), ...chats, ...choices];
}

export function Palette() {
  const query = useSignal("");
  const found = useSignal([]); // chats that the server found for the query
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
  const options = useOptions(shown, command => {
    closeDialog();
    command.run();
  });
  return html`
    <${Dialog} title=${t("palette.title")} className="small palette">
      <div>
        <input type="text" role="combobox" autofocus autocomplete="off" aria-label=${t("palette.label")}
          placeholder=${t("palette.label")} aria-expanded="true" ...${options.field} aria-controls=${options.id}
          onKeyDown=${event => isComposing(event) || options.press(event)}
          onInput=${({target}) => { query.value = target.value; options.first(); }} />
        <${Options} ...${options} label=${t("palette.title")} />
        <p class="hint" role="status">${shown.length === 0 && t("chats.none_found", {query: query.value.trim()})}</p>
      </div>
    <//>`;
}
