/** Lists: boxes for tasks, and items that don't change when a later one makes the list loose. */

const TASK = /^\[([ xX])\](?:[ \t]|$)/;

export function addLists(markdown) {
  markdown.core.ruler.after("inline", "lists", ({tokens}) => {
    for (let place = 0; place < tokens.length; place++) {
      const {type} = tokens[place];
      if (type === "bullet_list_open" || type === "ordered_list_open") markLoose(tokens, place);
      if (type === "list_item_open") putBox(tokens, place);
    }
  });
  markdown.renderer.rules.task = (tokens, place) =>
    `<input type="checkbox" disabled${tokens[place].meta.isDone ? " checked" : ""}>`;
}

/** The direct children of a token that opens something, as their places. */
function* children(tokens, place) {
  const {level} = tokens[place];
  for (let at = place + 1; tokens[at] && tokens[at].level > level; at++) {
    if (tokens[at].level === level + 1 && tokens[at].nesting >= 0) yield at;
  }
}

/**
 * An item with one paragraph has it without `<p>`, in a loose list too: the space between the items
 * is the list's. So an item stays as it is while the list grows, and is the same by itself.
 */
function markLoose(tokens, place) {
  let isLoose = false;
  for (const item of children(tokens, place)) {
    const paragraphs = [...children(tokens, item)].filter(at => tokens[at].type === "paragraph_open");
    if (paragraphs.some(at => !tokens[at].hidden)) isLoose = true;
    for (const at of paragraphs) tokens[at].hidden = tokens[at + 2].hidden = paragraphs.length === 1;
  }
  if (isLoose) tokens[place].attrSet("class", "loose");
}

/** `- [x] done` */
function putBox(tokens, place) {
  const inline = tokens[place + 2];
  if (tokens[place + 1]?.type !== "paragraph_open" || inline?.type !== "inline") return;
  const [first] = inline.children;
  const found = first?.type === "text" && TASK.exec(first.content);
  if (!found) return;
  first.content = first.content.slice(found[0].length);
  const box = new inline.constructor("task", "input", 0);
  box.meta = {isDone: found[1] !== " "};
  inline.children.unshift(box);
}
