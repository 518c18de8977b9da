import { useTranslation } from "react-i18next";
import { TextLink } from "@/shared/links";
import { usePlatformHead } from "@/shared/platformHead";

/** The head of the public record, in the frame of every page: two people who see different heads were shown two records. */
export function ProofHead() {
  const { t } = useTranslation();
  const { data } = usePlatformHead();
  if (data === undefined || data.number === null || data.short === null) return null;
  return (
    <p>
      <TextLink to="/transparency">{t("record.footer", { number: data.number })}</TextLink>{" "}
      <code>{data.short}</code>
    </p>
  );
}
