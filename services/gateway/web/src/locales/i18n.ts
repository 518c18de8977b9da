import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "@/locales/en.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "site";
    resources: { site: typeof en };
  }
}

/** Everything people read is in the catalogue; React escapes what is filled in. */
export const i18n = i18next.createInstance();

void i18n.use(initReactI18next).init({
  lng: "en",
  defaultNS: "site",
  ns: ["site"],
  resources: { en: { site: en } },
  interpolation: { escapeValue: false },
  returnNull: false,
  initAsync: false,
});
