/** Where the user is signed in: on which devices, and how to sign out there. */

import {useLoaded} from "./failed.js";
import {html} from "./html.js";
import {quillium} from "../state/client.js";
import {tellError} from "../state/notices.js";
import {logout} from "../state/session.js";
import {shortTime, t} from "../state/words.js";

const PAGE = 100;
// In this order: Edge and Opera call themselves Chrome, too, and Chrome calls itself Safari.
const BROWSERS = {Edg: "Edge", OPR: "Opera", Firefox: "Firefox", Chrome: "Chrome", Safari: "Safari"};
const SYSTEMS = {Android: "Android", iPhone: "iPhone", iPad: "iPad", Windows: "Windows", "Mac OS": "macOS", Linux: "Linux"};

export function Sessions() {
  const list = async () => (await quillium.call("GET", `/auth/sessions?limit=${PAGE}`)).data;
  const {value: sessions, state, reload} = useLoaded(list);
  async function end(id) {
    await quillium.call("DELETE", `/auth/sessions/${id}`);
    await reload();
  }
  return html`
    ${state}
    <ul class="rows">
      ${sessions.value?.map(({id, user_agent: agent, address, last_used_at: time, is_current: isCurrent}) => html`
        <li key=${id}>
          <span dir="auto">${device(agent)}${isCurrent && html` <span class="saved">· ${t("sessions.current")}</span>`}</span>
          <span class="hint">${address && `${address} · `}${t("sessions.used", {time: shortTime(time)})}</span>
          ${isCurrent || html`<button type="button" class="quiet" aria-label=${t("sessions.end_on", {device: device(agent)})}
            onClick=${() => end(id).catch(tellError)}>${t("session.sign_out")}</button>`}
        </li>`)}
    </ul>
    <section>
      <h3>${t("session.sign_out_everywhere")}</h3>
      <p class="hint">${t("sessions.everywhere_hint")}</p>
      <button type="button" class="danger" onClick=${() => logout({everywhere: true}).catch(tellError)}>
        ${t("session.sign_out_everywhere")}
      </button>
    </section>`;
}

/** A browser and its system, as people call them; a program's own name for anything else. */
function device(agent) {
  const named = names => names[Object.keys(names).find(part => agent.includes(part))];
  const [browser, system] = [named(BROWSERS), named(SYSTEMS)];
  if (browser && system) return t("sessions.device", {browser, system});
  return browser ?? system ?? (agent.split(/[/ ]/)[0] || t("sessions.unknown"));
}
