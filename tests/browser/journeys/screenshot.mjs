/** A picture of one page, as the documentation shows it. */
export default async function screenshot(enter, { path, file, height }) {
  const visitor = await enter();
  const { page } = visitor;
  await page.setViewportSize({ width: 1280, height: height ?? 1000 });
  await visitor.open(path);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: file });
  return { file };
}
