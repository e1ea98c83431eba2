/** One-time sign-in codes: `/#code=…` signs in without a form (contract, section 4). */

import {quillium} from "./client.js";
import {notify} from "./notices.js";
import {t} from "./words.js";

const CODE = /^#code=([0-9A-Za-z]+)$/;

/** Exchange the code in the address, if there is one, and remove it from the address bar. */
export async function signInByCode() {
  const code = CODE.exec(location.hash)?.[1];
  if (!code) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    await quillium.useTokens(await quillium.call("POST", "/auth/exchange", {code}));
  } catch (error) {
    if (!quillium.isSignedIn) notify(t(error.code === "offline" ? "error.offline" : "login.code_used"));
  }
}
