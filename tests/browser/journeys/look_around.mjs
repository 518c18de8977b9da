/** Everything that can be seen without an act: as nobody, and in each role. */
export default async function lookAround(enter, { campaign }) {
  const visitor = await enter();
  const { page } = visitor;
  await visitor.open("/");
  await visitor.look("campaigns");
  await visitor.open(`/campaigns/${campaign}`);
  await visitor.look("campaign");
  const sections = await page.getByRole("main").getByRole("heading", { level: 2 }).allInnerTexts();
  await visitor.open("/escrow");
  await visitor.look("escrow of the platform");
  await visitor.open("/sign-in");
  await visitor.look("sign in");
  await visitor.open("/nowhere");
  await visitor.look("nothing here");
  await visitor.open("/staff");
  await visitor.look("sign in first");

  await visitor.signIn("maya");
  await visitor.open("/account");
  await visitor.look("account");
  const account = await page.getByRole("main").innerText();
  await visitor.open("/commitments");
  await visitor.look("my commitments");
  await visitor.open("/staff");
  await visitor.look("for staff");
  const forbidden = await page.getByRole("alert").innerText();
  await visitor.open("/account");
  await visitor.button("Sign out").first().click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();

  await visitor.signIn("ana");
  await visitor.open("/staff");
  await visitor.look("what needs a person");
  await visitor.open("/staff/money");
  await visitor.look("the platform's own money");
  await visitor.open(`/staff/campaigns/${campaign}`);
  await visitor.look("campaign for staff");
  return { sections, account, forbidden };
}
