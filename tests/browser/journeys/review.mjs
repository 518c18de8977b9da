/** A gatekeeper answers the four questions; a failed answer rules out acceptance. */
export default async function review(enter, { campaign, title }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("gus");
  await visitor.open("/staff");
  await visitor.look("reviews");
  await page.getByRole("link", { name: title }).first().waitFor();
  await visitor.open(`/staff/campaigns/${campaign}`);
  await visitor.button("Record the decision").click();
  await page.getByText("Answer this question.").first().waitFor();
  await visitor.look("review with missing answers");
  for (const group of await page.getByRole("radiogroup").all()) {
    const yes = group.getByRole("radio", { name: "Yes" });
    if ((await yes.count()) > 0) await yes.check();
  }
  await page.getByRole("radio", { name: "No", exact: true }).first().check();
  await page.getByRole("radio", { name: "Accept", exact: true }).check();
  await page.getByLabel("Reason").fill("Patient people, a clear specification.");
  await visitor.button("Record the decision").click();
  const ruledOut = await page.getByText("A question is answered with no", { exact: false }).innerText();
  await page.getByRole("radio", { name: "Yes", exact: true }).first().check();
  await visitor.button("Record the decision").click();
  await page.getByText("Active campaign").first().waitFor();
  await visitor.look("reviewed");
  return { ruledOut };
}
