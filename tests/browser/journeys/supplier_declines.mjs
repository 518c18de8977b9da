/** The supplier declines with a reason. */
export default async function supplierDeclines(enter, { invitation, reason }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("dock");
  await visitor.open(`/supplier/invitations/${invitation}`);
  await visitor.button("Decline the invitation").click();
  const missing = await page.getByText("Give the reason.").innerText();
  await page.getByLabel("Reason").fill(reason);
  await visitor.button("Decline the invitation").click();
  await visitor.button("Decline the invitation").click();
  await page.getByText("Declined", { exact: true }).waitFor();
  await visitor.look("declined by the supplier");
  return { missing };
}
