/** Scale images down before they are uploaded: models see no more than this. */

const MAX_PIXELS = 2048; // of the longer side
const MAX_BYTES = 2 << 20; // of an image that is sent as it is
const QUALITY = 0.85;
const USUAL = new Set(["image/jpeg", "image/png", "image/webp"]); // the others become JPEG
const UNSCALED = /^(?!image\/)|gif|svg/; // animations, text, and what is no image

/** Return an image that is small enough for a model; any other file as it is. @param {File} file */
export async function scaled(file) {
  if (UNSCALED.test(file.type)) return file;
  const bitmap = await createImageBitmap(file).catch(() => null); // the browser can't read it
  if (bitmap === null) return file;
  const share = Math.min(1, MAX_PIXELS / Math.max(bitmap.width, bitmap.height));
  if (share === 1 && file.size <= MAX_BYTES && USUAL.has(file.type)) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(bitmap.width * share);
  canvas.height = Math.ceil(bitmap.height * share);
  const context = canvas.getContext("2d");
  const draw = () => context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  draw();
  let blob = file.type === "image/png" ? await encoded(canvas, "image/png") : null;
  if (blob === null || blob.size > MAX_BYTES) {
    context.fillStyle = "#fff"; // JPEG has no transparency
    context.fillRect(0, 0, canvas.width, canvas.height);
    draw();
    blob = await encoded(canvas, "image/jpeg");
  }
  bitmap.close();
  if (blob === null || (blob.size >= file.size && USUAL.has(file.type))) return file;
  const stem = file.name.replace(/\.[^.]*$/, "");
  return new File([blob], `${stem}.${blob.type === "image/png" ? "png" : "jpg"}`, {type: blob.type});
}

const encoded = (canvas, type) => new Promise(resolve => canvas.toBlob(resolve, type, QUALITY));
