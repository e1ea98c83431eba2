/** What `/` at the beginning of a message offers: commands of the model, presets, actions of the page. */

import {useSignal} from "./html.js";
import {matching, pageActions, useOptions} from "./options.js";
import {presets} from "../state/presets.js";
import {t} from "../state/words.js";

const COMMANDS = ["help", "markdown", "lorem", "slow", "error"]; // of `quillium-demo`

/**
 * @param {object} props
 * @param {string} props.text of the composer
 * @param {boolean} props.hasCommands
 * @param {(text: string) => void} props.write
 * @param {((preset: object) => void) | null} props.choosePreset
 */
export function useCompletions({text, hasCommands, write, choosePreset}) {
  const isDismissed = useSignal(false);
  const query = /^\/(\S*)$/.exec(text)?.[1];
  if (query === undefined && isDismissed.value) isDismissed.value = false;
  const isOpen = query !== undefined && !isDismissed.value;
  const options = useOptions(isOpen ? offered(query) : [], option => option.run());

  function offered(typed) {
    const commands = hasCommands ? COMMANDS : [];
    if (commands.includes(typed)) return []; // it is complete: Enter sends it
    const clearing = run => () => {
      write("");
      run();
    };
    return [
      ...commands.filter(name => name.startsWith(typed.toLowerCase())).map(name => ({
        label: `/${name}`, kind: t(`command.${name}`), run: () => write(`/${name}`),
      })),
      ...matching((choosePreset ? presets.value : []).map(preset => ({
        label: preset.name, kind: t("preset.label"), run: clearing(() => choosePreset(preset)),
      })), typed),
      ...matching(pageActions(), typed).map(({label, run}) => ({label, run: clearing(run)})),
    ];
  }
  return {
    ...options,
    /** @returns {boolean} whether the key is one of the list */
    press(event) {
      if (options.press(event, ["Enter", "Tab"])) return true;
      if (event.key !== "Escape" || !options.options.length) return false;
      event.stopPropagation(); // it would stop the reply
      isDismissed.value = true;
      return true;
    },
  };
}
