/** What the gateway writes itself for those who build on it: from the site's footer to the reference and a problem's page. */
export default async function reference(enter) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.open("/");
  await page.getByRole("contentinfo").getByRole("link", { name: "Reference of the interface" }).click();
  await visitor.heading("Reference of the interface");
  await visitor.look("reference");
  const operations = await page.locator("details").count();
  await page.locator("details#commit_funds > summary").click();
  await page.locator("details#commit_funds").getByRole("link", { name: "over_capacity" }).click();
  await visitor.heading("The remaining capacity is smaller than the units asked for");
  await visitor.look("a problem's page");
  await page.getByRole("link", { name: "All problem codes" }).click();
  await visitor.heading("Problem codes");
  await visitor.look("problem codes");
  const codes = await page.getByRole("main").getByRole("link").count();
  return { operations, codes };
}
