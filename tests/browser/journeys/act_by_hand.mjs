/**
 * An act on money by hand, from its first draft to the participant's page: one auditor asks for a part of a commitment's
 * funds, takes the plan back, asks again; another one, whose proof has aged, confirms with her passkey and approves; the
 * participant reads what became of it.
 */
export default async function actByHand(enter, { campaign, commitment, reference, mailbox, invitation, email }) {
  const ana = await enter();
  await ana.signIn("ana");
  await ana.open(`/staff/campaigns/${campaign}`);
  await ana.page.locator("summary", { hasText: "An act on money by hand" }).click();
  await ana.page.getByLabel("Kind", { exact: true }).selectOption("partial_refund");
  await ana.page.getByLabel("Evidence", { exact: true }).fill("issue:7f3a");
  await ana.page.getByLabel("What happened, in words").fill("The drum is dented.");
  const amount = ana.page.getByLabel(`Amount for ${reference}`);
  await amount.fill("49.00");
  const sums = await ana.page.getByRole("table", { name: "Sums of the campaign" }).innerText();
  await ana.look("act by hand");
  const own = ana.page.getByText("You made this plan.", { exact: false });
  await ana.button("Submit this act").click();
  await own.waitFor();
  await ana.button("Take the plan back").click();
  await ana.look("take back?");
  await ana.button("Take the plan back").click();
  await ana.page.getByText("Taken back by its maker; nothing was moved").waitFor();
  await amount.fill("49.00");
  await ana.button("Submit this act").click();
  await own.waitFor();
  const figures = await ana.page.getByRole("table", { name: "Figures" }).first().innerText();

  const eva = await enter();
  await eva.holdPasskeys();
  await eva.signUp(mailbox, invitation, email);
  await eva.heading("Security");
  await eva.addPasskey("Work laptop");
  await eva.page.getByText("Added").waitFor();
  await eva.until(async () => {
    const answer = await fetch("/v1/account/security");
    return !(await answer.json()).may_change;
  });
  await eva.open(`/staff/campaigns/${campaign}`);
  await eva.button("Approve the plan").click();
  await eva.button("Approve the plan").click();
  const question = eva.page.getByRole("dialog", { name: "Confirm that it is you" });
  await question.getByRole("button", { name: "Confirm with a passkey" }).click();
  await eva.until(async (id) => {
    const answer = await fetch(`/v1/campaigns/${id}/clearing-plans`);
    return (await answer.json()).data.some(({ state }) => state === "DONE");
  }, campaign);
  await eva.open(`/staff/campaigns/${campaign}`);
  await eva.page.getByText("Done: every refund of it is paid").first().waitFor();
  const done = await eva.page.getByRole("article").first().innerText();
  await eva.look("act by hand done");

  const maya = await enter();
  await maya.signIn("maya");
  await maya.open(`/commitments/${commitment}`);
  const money = await maya.moneyLine(/refunded/);
  const movements = await maya.page.getByRole("region", { name: "Every movement of your money" }).innerText();
  await maya.look("commitment after a refund in part");
  return { sums, figures, done, money, movements };
}
