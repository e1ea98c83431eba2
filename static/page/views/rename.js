/** A new title for a chat. */

import {Dialog, leaveDialog} from "./dialog.js";
import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {update} from "../state/chats.js";
import {t} from "../state/words.js";

export function Rename({chat}) {
  async function rename({title}, form) {
    await update(chat.id, {title: title.trim()});
    leaveDialog(form);
  }
  return html`
    <${Dialog} title=${t("chat.rename")} className="small">
      <${Form} send=${rename} label=${t("action.save")}>
        <${Field} label=${t("chat.title")} name="title" defaultValue=${chat.title} maxlength="200"
          pattern=".*\\S.*" required autofocus />
      <//>
    <//>`;
}
