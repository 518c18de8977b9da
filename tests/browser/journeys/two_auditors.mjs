/** One auditor makes a plan and cannot approve it; another one does. */
export default async function twoAuditors(enter, { campaign, reason }) {
  const ana = await enter();
  await ana.signIn("ana");
  await ana.open(`/staff/campaigns/${campaign}`);
  await ana.page.getByLabel("Reason", { exact: true }).fill(reason);
  await ana.button("Submit the plan").click();
  const own = ana.page.getByText("You made this plan.", { exact: false });
  await own.waitFor();
  await ana.look("own plan");
  const approvals = await ana.button("Approve the plan").count();
  const conditions = await ana.page.getByRole("listitem").filter({ hasText: /^(Met|Not met)/ }).allInnerTexts();
  const figures = await ana.page.getByRole("table").first().innerText();

  const ben = await enter();
  await ben.signIn("ben");
  await ben.open("/staff");
  await ben.look("plans waiting");
  await ben.open(`/staff/campaigns/${campaign}`);
  await ben.button("Approve the plan").click();
  await ben.look("approve?");
  await ben.button("Approve the plan").click();
  await ben.page.getByText("Funds released to the supplier").waitFor();
  await ben.look("released");
  return { approvals, conditions, figures };
}
