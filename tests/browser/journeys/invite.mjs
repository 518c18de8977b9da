/** Staff invites somebody to a campaign by mail, and revokes another invitation. */
export default async function invite(enter, { title, mailbox, email }) {
  const olga = await enter();
  await olga.signIn("olga");
  await olga.open("/account");
  await olga.page.getByRole("link", { name: "Invite people" }).click();
  await olga.heading("Invite people");
  await olga.page.getByLabel("Campaign that it opens").selectOption({ label: title });
  await olga.page.getByLabel("Note for yourself (optional)").fill("Ruth");
  await olga.page.getByLabel("E-mail of the person (optional)").fill(email);
  const made = olga.page.getByRole("status").filter({ hasText: "The invitation is made" });
  const mail = await olga.mailAfter(mailbox, email, async () => {
    await olga.button("Make the invitation").click();
    await made.waitFor();
  });
  const shown = await made.locator("code").innerText();
  await olga.look("invited");

  await olga.page.getByLabel("Note for yourself (optional)").fill("Mistake");
  await olga.button("Make the invitation").click();
  const line = olga.page.getByRole("listitem").filter({ hasText: "Mistake" }).first();
  await line.getByRole("button", { name: "Revoke: Mistake" }).click();
  await line.getByRole("button", { name: "Revoke it" }).click();
  await line.getByText("Revoked").waitFor();
  await olga.look("invitations");
  return { shown, mailed: mail.match(/https?:\S+/)[0] };
}
