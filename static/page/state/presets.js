/** Presets: models with instructions to begin chats with, the user's and those of the admin. */

import {computed} from "../../vendor/signals.js";
import {quillium} from "./client.js";
import {changeSettings, settings} from "./session.js";

/** All presets, those of the user first. `value` stands for one in a list of models. */
export const presets = computed(() => {
  const {presets: own = [], shared_presets: shared = []} = settings.value ?? {};
  const named = (list, kind) => list.map(preset => ({...preset, kind, value: `preset:${kind}:${preset.name}`}));
  return [...named(own, "own"), ...named(shared, "shared")];
});

const without = (list, name) => list.filter(preset => preset.name !== name);

/** Keep a preset under its name, in place of one that has it. `isShared`: for everyone, by the admin. */
export const keepPreset = (preset, {isShared}) =>
  change(isShared, list => [...without(list, preset.name), preset]);

export const removePreset = ({name, kind}) => change(kind === "shared", list => without(list, name));

async function change(isShared, changed) {
  if (!isShared) return changeSettings({presets: changed(settings.value.presets)});
  const {presets: list} = await quillium.call("GET", "/settings/admin");
  const {presets: shared_presets} = await quillium.call("PUT", "/settings/admin", {presets: changed(list)});
  settings.value = {...settings.value, shared_presets};
}
