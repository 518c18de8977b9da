import "@mantine/core/styles.layer.css";
import "@/theme/fonts";
import "@/theme/tokens.css";
import "@/locales/i18n";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/App";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no place for the application");

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
