/** A card is declined, a number is mistyped, another card works while the reservation lasts. */
export default async function declined(enter, { campaign }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.signIn("maya");
  await visitor.toCard(campaign, 1);
  await visitor.payWith("4000 0000 0000 9995");
  await page.waitForURL(/\/commitments\/[0-9a-f-]+$/);
  const alert = page.getByRole("alert").filter({ hasText: "declined" });
  await alert.waitFor();
  const words = await alert.innerText();
  const moneyBefore = await visitor.moneyLine();
  await visitor.look("declined");

  await visitor.payWith("4242 4242 4242 4241");
  const mistyped = page.getByRole("alert").filter({ hasText: "card number is not right" });
  await mistyped.waitFor();
  await visitor.look("card number not right");

  await visitor.payWith("4242 4242 4242 4242");
  const money = await visitor.moneyLine(/is held in escrow/);
  await page.getByLabel("Card number").waitFor({ state: "detached" });
  return { words, moneyBefore, money };
}
