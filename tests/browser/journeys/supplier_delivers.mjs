/** The supplier records every commitment as dispatched, then as delivered. */
export default async function supplierDelivers(enter, { campaign, tracking }) {
  const visitor = await enter();
  const { page } = visitor;
  const table = page.getByRole("table", { name: "Commitments" });
  await visitor.signIn("dock");
  await visitor.open(`/supplier/campaigns/${campaign}`);
  await visitor.button("Record as dispatched").click();
  await page.getByText("Choose at least one commitment.").waitFor();
  await visitor.look("nothing chosen");
  await page.getByLabel("Choose all").check();
  await page.getByLabel("Tracking number, if there is one").fill(tracking);
  await visitor.button("Record as dispatched").click();
  await table.getByText("Dispatched").nth(1).waitFor();
  await page.getByLabel("Choose all").check();
  await page.getByLabel("Evidence").fill("Signed list of the hand-over.");
  await visitor.button("Record as delivered").click();
  await table.getByText("Delivered").nth(1).waitFor();
  await visitor.look("delivered");
  const addresses = await page.getByRole("region", { name: "Delivery addresses" }).innerText();
  return { addresses, table: await table.innerText() };
}
