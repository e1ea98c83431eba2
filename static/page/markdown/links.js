/** Web links, and automatic links for plain URLs and email addresses. */

const ALLOWED = /^(?:https?|mailto):/i;

// An address ends before white space, before what closes it, before marks of Markdown, and before
// full-width punctuation: `https://example.com/docs（说明），谢谢`.
const ADDRESS = /(?:(?!\*\*|~~|\]\()[^\s<>"`\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’…])+/y;
const HOST = /^[^/?#]*/;
// Where a host's label goes over from ASCII to Chinese, the text goes on: `https://example.com获取`.
const TEXT_AFTER_HOST = /[a-z0-9][\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/iu;
const BARE = /(?:^|(?<=[\s(（]))(?:(www\.)|[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,}(?![\w@-]))/giu;
const SCHEME = /(?:^|[^a-z0-9])(https?)$/i;

export function addLinks(markdown) {
  markdown.validateLink = () => true; // see `link_open`: one that leads elsewhere is shown as its text
  markdown.inline.ruler.before("linkify", "address", address);
  markdown.core.ruler.after("inline", "bare_addresses", bareAddresses);
  const {rules} = markdown.renderer;
  rules.link_open = (tokens, place) => {
    const href = tokens[place].attrGet("href");
    return ALLOWED.test(href) ? `<a href="${markdown.utils.escapeHtml(href)}">` : "<a>";
  };
  // Images are never fetched, because that would reveal the reader to their host.
  rules.image = (tokens, place) => {
    const {content, attrs: [[, src]]} = tokens[place];
    const href = ALLOWED.test(src) ? ` href="${markdown.utils.escapeHtml(src)}"` : "";
    return `<a${href}>${markdown.utils.escapeHtml(content || src)}</a>`;
  };
}

/** The address that begins at a place of a text; empty if there is none. */
export function addressAt(text, start, hostStart) {
  ADDRESS.lastIndex = start;
  let [found] = ADDRESS.exec(text) ?? [""];
  const [host] = HOST.exec(found.slice(hostStart - start));
  const turn = TEXT_AFTER_HOST.exec(host);
  if (turn && host.includes(".")) found = found.slice(0, hostStart - start + turn.index + 1);
  found = trimmed(found);
  return found.length > hostStart - start ? found : "";
}

/** Without the punctuation of the sentence around it. */
function trimmed(address) {
  let end = address.length;
  let surplus = count(address, ")") - count(address, "(");
  for (; end > 0; end--) {
    const last = address[end - 1];
    if (last === ")" && surplus > 0) surplus--;
    else if (!/[?!.,:;*_~'\]}|\\]/.test(last)) break;
  }
  return address.slice(0, end);
}

const count = (text, character) => text.split(character).length - 1;

function push(state, href, text) {
  state.push("link_open", "a", 1).attrs = [["href", href]];
  state.push("text", "", 0).content = text;
  state.push("link_close", "a", -1);
}

/** `https://…`: found at its colon, before what it holds is taken for emphasis. */
function address(state, silent) {
  const {pos, src} = state;
  if (state.linkLevel > 0 || !src.startsWith("://", pos)) return false;
  const scheme = SCHEME.exec(state.pending.slice(-6))?.[1];
  if (!scheme) return false;
  const found = addressAt(src, pos - scheme.length, pos + 3);
  if (!found) return false;
  if (!silent) {
    state.pending = state.pending.slice(0, -scheme.length);
    push(state, state.md.normalizeLink(found), found);
  }
  state.pos += found.length - scheme.length;
  return true;
}

/** `www.example.com` and `ada@example.com`, within plain text. */
function bareAddresses(state) {
  for (const token of state.tokens) {
    if (token.type === "inline") token.children = withLinks(state, token.children);
  }
}

function withLinks(state, tokens) {
  const all = [];
  let depth = 0;
  for (const token of tokens) {
    if (token.type === "link_open") depth++;
    if (token.type === "link_close") depth--;
    if (token.type === "text" && depth === 0 && /www\.|@/i.test(token.content)) all.push(...parts(state, token));
    else all.push(token);
  }
  return all;
}

function parts(state, token) {
  const made = {push: (type, tag, nesting) => {
    const part = new state.Token(type, tag, nesting);
    parts.push(part);
    return part;
  }};
  const parts = [];
  const {content} = token;
  let done = 0;
  for (const found of content.matchAll(BARE)) {
    if (found.index < done) continue;
    const text = found[1] ? addressAt(content, found.index, found.index + 4) : found[0];
    if (!text || (found[1] && !text.slice(4).includes("."))) continue;
    if (found.index > done) made.push("text", "", 0).content = content.slice(done, found.index);
    push(made, state.md.normalizeLink(found[1] ? `http://${text}` : `mailto:${text}`), text);
    done = found.index + text.length;
  }
  if (!done) return [token];
  if (done < content.length) made.push("text", "", 0).content = content.slice(done);
  return parts;
}
