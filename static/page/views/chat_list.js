/** The list of chats. The rows near the view are drawn; there may be 10,000. */

import {ChatMenu} from "./chat_menu.js";
import {Failed} from "./failed.js";
import {html, useLayoutEffect, useRef, useSignal} from "./html.js";
import {
  areFound, groupOf, hasMore, isLoaded, isSearching, loadMore, matchOf, moreError, query, retrySearch, searchError, shownChats,
} from "../state/chats.js";
import {openAt} from "../state/conversations.js";
import {addressOf, chatId} from "../state/route.js";
import {fullTime, shortTime, t} from "../state/words.js";

const LEAST = 80; // rows that are drawn, if there are so many
const GUESS = 42; // pixels of a row, before one was measured
const LOAD_AHEAD = 1_000; // pixels before the end at which the next page is loaded

export function ChatList() {
  const chats = shownChats.value;
  const isEmpty = isLoaded.value && !isSearching.value && !searchError.value && chats.length === 0;
  const rows = withGroups(chats);
  const {place, from, to, above, below, height, onScroll} = useRows(rows.length);
  return html`
    <nav ref=${place} class="chat-list" onScroll=${onScroll} aria-label=${t("chats.label")} aria-busy=${isSearching.value}>
      ${searchError.value && html`<${Failed} error=${searchError.value} retry=${retrySearch} />`}
      <ul style=${{paddingTop: `${above}px`, paddingBottom: `${below}px`}}>
        ${rows.slice(from, to).map(({group, chat}) => (group
          ? html`<li key=${group} class="chat-group" style=${{height: `${height}px`}}><h2>${group}</h2></li>`
          : html`<${ChatRow} key=${chat.id} chat=${chat} isShown=${chat.id === chatId.value} />`))}
      </ul>
      ${hasMore.value && html`<${More} />`}
      ${isEmpty && html`<p class="hint" dir="auto">${query.value ? t("chats.none_found", {query: query.value.trim()}) : t("chats.none")}</p>`}
    </nav>`;
}

/** The rows of the list: chats, and a heading before the first one of each group. */
function withGroups(chats) {
  const rows = [];
  let last = null;
  for (const chat of chats) {
    const group = groupOf(chat);
    if (group !== last) rows.push({group});
    rows.push({chat});
    last = group;
  }
  return rows;
}

/** Which of so many rows are drawn, with the room for the others. All rows are of one height. */
function useRows(count) {
  const place = useRef(null);
  const row = useRef(GUESS);
  const first = useSignal(0);
  const from = Math.max(0, Math.min(first.value, count - LEAST));
  const to = Math.min(count, from + LEAST);

  function onScroll() {
    const {clientHeight, scrollHeight, scrollTop} = place.current;
    const at = Math.floor(scrollTop / row.current);
    const seen = Math.ceil(clientHeight / row.current);
    const isShort = at < from + 4 || at + seen > to - 4;
    if (isShort) first.value = Math.max(0, at - Math.floor((LEAST - seen) / 2));
    if (scrollHeight - scrollTop - clientHeight < LOAD_AHEAD && !moreError.peek()) loadMore();
  }
  useLayoutEffect(() => {
    const element = place.current.querySelector(".chat-row");
    if (element) row.current = element.getBoundingClientRect().height || GUESS;
    onScroll();
  });
  useLayoutEffect(() => {
    const observer = new ResizeObserver(onScroll);
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return {place, from, to, above: from * row.current, below: (count - to) * row.current, height: row.current, onScroll};
}

function ChatRow({chat, isShown}) {
  const {id, title, unread_count, updated_at} = chat;
  const match = matchOf(id);
  const open = event => {
    const {ctrlKey, metaKey, shiftKey, altKey} = event;
    if (!match || ctrlKey || metaKey || shiftKey || altKey) return;
    event.preventDefault();
    openAt(id, match.message_id);
  };
  return html`
    <li class="chat-row">
      <a href=${addressOf(id)} aria-current=${isShown ? "page" : undefined} onClick=${open}>
        <span class="chat-title" dir="auto">${title}</span>
        ${unread_count > 0
          ? html`<span class="badge" aria-hidden="true">${unread_count > 99 ? "99+" : unread_count}</span>
            <span class="hidden">${t("chats.unread", {count: unread_count})}</span>`
          : html`<time datetime=${updated_at} title=${fullTime(updated_at)}>${shortTime(updated_at)}</time>`}
        ${areFound.value && html`<span class="snippet" dir="auto">${match && marked(match.snippet)}</span>`}
      </a>
      ${chat.isPending || html`<${ChatMenu} chat=${chat} />`}
    </li>`;
}

const HIT = /\uE000([^\uE001]*)\uE001/; // as the server marks the words of the query

const marked = snippet => snippet.split(HIT).map((part, place) => (place % 2 ? html`<mark>${part}</mark>` : part));

/** At the end of what is loaded; usually the next page is loaded before this is seen. */
const More = () => (moreError.value
  ? html`<${Failed} error=${moreError.value} retry=${loadMore} />`
  : html`<button type="button" class="link more" onClick=${loadMore}>${t("chats.more")}</button>`);
