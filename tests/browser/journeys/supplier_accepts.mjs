/** The supplier reads what accepting binds to, confirms the exact hash, accepts. */
export default async function supplierAccepts(enter, { invitation, hash }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("dock");
  await visitor.open("/supplier");
  await visitor.look("invitations");
  await visitor.open(`/supplier/invitations/${invitation}`);
  const binding = await page.getByRole("region", { name: "What accepting binds you to" }).innerText();
  await visitor.button("Accept campaign").click();
  const unconfirmed = await page.getByText("Confirm that you accept these terms.").innerText();
  await page.getByRole("checkbox", { name: new RegExp(hash) }).check();
  await visitor.button("Accept campaign").click();
  await page.getByText("Accepting binds you from this moment.", { exact: false }).waitFor();
  await visitor.look("accept?");
  await visitor.button("Accept campaign").click();
  await page.getByRole("link", { name: "Dispatch and delivery" }).waitFor();
  await visitor.look("accepted");
  return { binding, unconfirmed };
}
