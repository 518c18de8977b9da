/** The bank asks: once the person confirms, once the person does not and uses another card. */
export default async function bank(enter, { campaign }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("maya");
  await visitor.toCard(campaign, 1);
  await visitor.payWith("4000 0025 0000 3155");
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await page.waitForURL(/\/commitments\/[0-9a-f-]+/);
  const confirmed = await visitor.moneyLine(/is held in escrow/);
  const address = page.url();

  await visitor.toCard(campaign, 1);
  await visitor.payWith("4000 0025 0000 3155");
  await page.getByRole("button", { name: "Fail authentication" }).waitFor();
  await page.goBack();
  await visitor.open("/commitments");
  await page.getByRole("link").filter({ hasText: /./ }).first().waitFor();
  const waiting = page.getByRole("listitem").filter({ hasText: "bank asks" });
  await waiting.getByRole("link").click();
  await page.getByRole("link", { name: "Go to your bank" }).waitFor();
  await visitor.look("the bank asks");
  await page.getByRole("link", { name: "Go to your bank" }).click();
  await page.getByRole("button", { name: "Fail authentication" }).click();
  await page.waitForURL(/\/commitments\/[0-9a-f-]+/);
  await page.getByRole("heading", { name: "Use another card" }).waitFor();
  const refused = await page.getByRole("alert").first().innerText();
  await visitor.look("confirmation not completed");
  return { confirmed, address, refused };
}
