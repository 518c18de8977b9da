import { createRequire } from "node:module";

const require = createRequire(new URL("../../services/gateway/web/package.json", import.meta.url));
const scanner = require("jsqr");

/** What a camera reads from a picture on the page: its pixels as they are shown, decoded by another hand than drew them. */
export async function scan({ context }, picture) {
  const png = (await picture.screenshot()).toString("base64");
  const darkroom = await context.newPage();
  const { width, height, pixels } = await darkroom.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const brush = canvas.getContext("2d");
    brush.drawImage(image, 0, 0);
    const seen = brush.getImageData(0, 0, image.width, image.height);
    return { width: image.width, height: image.height, pixels: [...seen.data] };
  }, png);
  await darkroom.close();
  return (scanner.default ?? scanner)(Uint8ClampedArray.from(pixels), width, height)?.data ?? null;
}
