/**
 * Runs one journey in a real browser and writes what it saw as one JSON document to standard output.
 *
 * `node driver.mjs JOURNEY`, the input as JSON on standard input: `base` (the site's address) and whatever the journey
 * asks for. Beside the journey's own result the document holds what every page is judged by: breaches of the content
 * policy, errors of scripts, axe's findings, widths beyond a narrow screen, and the text of each page that was looked
 * at. Judging is left to the tests. The browser is a system's Chromium where there is one, else the one from the web
 * application's own packages.
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const WEB = new URL("../../services/gateway/web/package.json", import.meta.url);
const require = createRequire(WEB);
const { chromium } = require("playwright-core");

const SYSTEM_BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };
const WAIT_MILLISECONDS = 30_000;
const PAUSE_MILLISECONDS = 200;
const MAIL_WAIT_MILLISECONDS = 20_000;
const MAIL_PAUSE_MILLISECONDS = 200;
const AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function launch() {
  const own = process.env.ALPMERA_CHROMIUM;
  const found = own ?? SYSTEM_BROWSERS.find((path) => existsSync(path));
  const packed = require("@sparticuz/chromium");
  const executablePath = found ?? (await (packed.default ?? packed).executablePath());
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
}

/** One person's browser: its own cookies, and what was seen in it. */
class Visitor {
  constructor(context, page, base, seen) {
    this.context = context;
    this.page = page;
    this.base = base;
    this.seen = seen;
  }

  async open(path) {
    await this.page.goto(this.base + path);
    await this.heading();
  }

  /** Wait for the page's title (`name` when given) and for everything that loads at first. */
  async heading(name) {
    await this.page.getByRole("heading", { level: 1, ...(name ? { name } : {}) }).waitFor();
    await this.page.waitForFunction(() => document.querySelector("[role=status][aria-label=Loading]") === null);
  }

  /** Wait until the page answers yes; a function of its own, because waitForFunction takes a promise for a yes. */
  async until(question, argument) {
    for (let waited = 0; waited < WAIT_MILLISECONDS; waited += PAUSE_MILLISECONDS) {
      if (await this.page.evaluate(question, argument)) return;
      await this.page.waitForTimeout(PAUSE_MILLISECONDS);
    }
    throw new Error("what was waited for did not come true");
  }

  async signIn(name) {
    await this.open("/sign-in");
    await this.page.getByRole("button", { name: `Sign in as ${name}` }).click();
    await this.page.getByRole("button", { name: "Sign out" }).waitFor();
  }

  /** Give this browser a device that makes and uses passkeys, and says yes by itself. */
  async holdPasskeys() {
    const tools = await this.context.newCDPSession(this.page);
    await tools.send("WebAuthn.enable");
    await tools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  }

  /** The text of the mail that comes to an address because of what is done. */
  async mailAfter(mailbox, email, act) {
    const before = (await mailsTo(mailbox, email)).length;
    await act();
    for (let waited = 0; waited < MAIL_WAIT_MILLISECONDS; waited += MAIL_PAUSE_MILLISECONDS) {
      const mails = await mailsTo(mailbox, email);
      if (mails.length > before) {
        const newest = Math.max(...mails.map(({ id }) => id));
        return (await fetch(`${mailbox}/api/messages/${newest}.plain`)).text();
      }
      await new Promise((resolve) => setTimeout(resolve, MAIL_PAUSE_MILLISECONDS));
    }
    throw new Error(`no mail came to ${email}`);
  }

  /** Ask for a code where the page asks for an address, and read it in the mailbox. */
  async askForCode(mailbox, email) {
    const text = await this.mailAfter(mailbox, email, async () => {
      await this.page.getByLabel("E-mail", { exact: true }).fill(email);
      await this.button("Send me a code").click();
      await this.page.getByLabel("Code from the mail").waitFor();
    });
    return text.match(/^\s*(\d{8})\s*$/m)[1];
  }

  /** Sign up with an invitation: its link, the address, the code from the mail. */
  async signUp(mailbox, token, email) {
    await this.open(`/sign-up#${token}`);
    const code = await this.askForCode(mailbox, email);
    await this.page.getByLabel("Code from the mail").fill(code);
    await this.button("Confirm the address").click();
    await this.button("Sign out").waitFor();
  }

  async addPasskey(name) {
    await this.page.getByLabel("Name of this device").fill(name);
    await this.button("Add a passkey").click();
  }

  button(name) {
    return this.page.getByRole("button", { name });
  }

  async payWith(number) {
    await this.page.getByLabel("Card number").fill(number);
    await this.page.getByLabel("Expiry date").fill("12/34");
    await this.page.getByLabel("Security code").fill("123");
    await this.button(/^Commit .* to escrow$/).click();
  }

  /** Through quantity and review to the card form. */
  async toCard(campaignId, quantity) {
    await this.open(`/campaigns/${campaignId}`);
    await this.page.getByRole("link", { name: "Join campaign" }).click();
    await this.page.getByLabel("Units", { exact: true }).fill(String(quantity));
    await this.button("Continue").click();
    await this.page.getByRole("checkbox").check();
    await this.button("Continue to the card").click();
    await this.page.getByLabel("Card number").waitFor();
  }

  /** Where the money is, once the page says something `like` that. */
  async moneyLine(like = /./) {
    const section = this.page.getByRole("region", { name: "Where your money is now" });
    await section.getByRole("status").filter({ hasText: like }).waitFor();
    return (await section.getByRole("status").innerText()).trim();
  }

  /** Judge the page as it is now: its rules for everybody, its narrow form, its words. */
  async look(name) {
    await this.page.evaluate(() => document.fonts.ready);
    await this.page.evaluate(`${AXE}; undefined`);
    const findings = await this.page.evaluate(async (rules) => {
      const { violations } = await globalThis.axe.run(document, { runOnly: rules });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
    }, AXE_RULES);
    const html = await this.page.content();
    await this.page.setViewportSize(NARROW);
    const beyond = await this.page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
    await this.page.setViewportSize(WIDE);
    this.seen.pages.push({ name, findings, beyond, html });
  }
}

async function mailsTo(mailbox, email) {
  const { data } = await (await fetch(`${mailbox}/api/messages/`)).json();
  return data.filter((mail) => JSON.stringify(mail).includes(email));
}

async function visitor(browser, base, seen) {
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: "reduce" });
  context.setDefaultTimeout(WAIT_MILLISECONDS);
  const page = await context.newPage();
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) seen.policy.push(message.text());
  });
  // The page's own word for it, beside what the console says: a breach in a worker or a late one is not missed.
  await page.exposeFunction("tellBreach", (directive, blocked) => seen.policy.push(`${directive}: ${blocked}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      globalThis.tellBreach(event.violatedDirective, event.blockedURI);
    });
  });
  page.on("request", (request) => seen.origins.add(new URL(request.url()).origin));
  return new Visitor(context, page, base, seen);
}

async function main() {
  const input = JSON.parse(readFileSync(0, "utf8"));
  const { default: journey } = await import(new URL(`journeys/${process.argv[2]}.mjs`, import.meta.url));
  const seen = { pages: [], errors: [], policy: [], origins: new Set() };
  const visitors = [];
  const browser = await launch();
  try {
    const enter = async () => {
      visitors.push(await visitor(browser, input.base, seen));
      return visitors.at(-1);
    };
    const result = (await journey(enter, input)) ?? null;
    process.stdout.write(JSON.stringify({ ...seen, origins: [...seen.origins], result }));
  } catch (error) {
    for (const { page } of visitors) {
      console.error(`${page.url()} says:\n${await page.locator("body").innerText()}\n`);
    }
    console.error(seen.errors.concat(seen.policy).join("\n"));
    throw error;
  } finally {
    await browser.close();
  }
}

await main();
