/**
 * One auditor makes a plan and cannot approve it. Another one, who has just come in by an invitation, does so once
 * her passkey has confirmed it: the proof of her sign-in is too old by then.
 */
export default async function twoAuditors(enter, { campaign, reason, mailbox, invitation, email }) {
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

  const eva = await enter();
  await eva.holdPasskeys();
  await eva.signUp(mailbox, invitation, email);
  await eva.heading("Security");
  await eva.page.getByRole("heading", { name: "One step is missing" }).waitFor();
  await eva.look("a second factor is missing");
  await eva.page.getByRole("link", { name: "Staff" }).click();
  await eva.page.getByText("Your role needs a passkey or an authenticator").waitFor();
  await eva.page.getByRole("link", { name: "Security" }).click();
  await eva.addPasskey("Work laptop");
  await eva.page.getByText("Added").waitFor();
  await eva.until(async () => {
    const answer = await fetch("/v1/account/security");
    return !(await answer.json()).may_change;
  });

  await eva.open("/staff");
  await eva.look("plans waiting");
  await eva.open(`/staff/campaigns/${campaign}`);
  await eva.button("Approve the plan").click();
  await eva.look("approve?");
  await eva.button("Approve the plan").click();
  const question = eva.page.getByRole("dialog", { name: "Confirm that it is you" });
  await question.getByRole("button", { name: "Confirm with a passkey" }).waitFor();
  await eva.look("confirm?");
  await question.getByRole("button", { name: "Not now" }).click();
  const refused = await eva.page.getByRole("alert").innerText();
  await eva.button("Approve the plan").click();
  await question.getByRole("button", { name: "Confirm with a passkey" }).click();
  await eva.page.getByText("Funds released to the supplier").waitFor();
  await eva.look("released");
  return { approvals, conditions, figures, refused };
}
