const TOO_LONG = "Dryers ".repeat(40).trim();

async function fillIn(page, fields) {
  for (const [name, text] of Object.entries(fields)) {
    await page.getByLabel(name, { exact: true }).fill(text);
  }
}

/**
 * A draft is written, with what is missing and what the server refuses told beside its fields; then the same person
 * changes it in two browsers, and the second save meets the first one.
 */
export default async function draft(enter, { fields, supplier, title, others }) {
  const olga = await enter();
  const { page } = olga;
  const titleField = page.getByLabel("Title of the campaign", { exact: true });
  await olga.signIn("olga");
  await olga.open("/staff");
  await olga.look("drafts");
  await page.getByRole("link", { name: "Draft a campaign" }).click();
  await olga.heading("Draft a campaign");
  await olga.button("Save the draft").click();
  const missing = await page.getByText("Fill this in.").count();
  await olga.look("an empty draft");
  await olga.button("Add a price").click();
  await fillIn(page, fields);
  await titleField.fill(TOO_LONG);
  await page.getByRole("checkbox", { name: supplier }).check();
  await page.getByRole("radio", { name: "Everybody", exact: true }).check();
  await olga.button("Save the draft").click();
  await page.getByRole("alert").getByText(/^Title of the campaign:/).waitFor();
  await olga.look("a draft that is refused");
  const beside = await titleField.getAttribute("aria-invalid");
  await page.reload();
  await olga.heading("Draft a campaign");
  const kept = await titleField.inputValue();
  await titleField.fill(title);
  const preview = await page.getByRole("region", { name: "What people will read" }).innerText();
  await olga.look("a draft with its preview");
  await olga.button("Save the draft").click();
  await olga.heading(title);
  await page.getByRole("link", { name: "Change the draft" }).click();
  await olga.heading(`Change the draft: ${title}`);

  const elsewhere = await enter();
  await elsewhere.signIn("olga");
  await elsewhere.open(new URL(page.url()).pathname);
  await fillIn(elsewhere.page, others);
  await elsewhere.button("Save the draft").click();
  await elsewhere.heading(others["Title of the campaign"]);

  await titleField.fill(`${title}, north`);
  await olga.button("Save the draft").click();
  const conflict = page.getByRole("region", { name: "Another version was stored meanwhile" });
  await conflict.waitFor();
  const differing = await conflict.getByRole("listitem").allInnerTexts();
  await olga.look("two versions");
  await conflict.getByRole("button", { name: "Take the stored words: Target quantity" }).click();
  await olga.button("Save mine over the stored version").click();
  await olga.heading(`${title}, north`);
  await olga.button("Submit for review").click();
  await page.getByText("Another role does this: Gatekeeper.").waitFor();
  return { missing, beside, kept, tooLong: TOO_LONG, preview, differing, address: page.url() };
}
