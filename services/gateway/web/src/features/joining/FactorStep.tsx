import { useLocation } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { TextLink } from "@/shared/links";
import { AddPasskey } from "@/shared/proof/AddPasskey";
import { Section } from "@/shared/Section";
import { Stack } from "@/shared/Stack";

/** Before the first commitment: a second factor, so that a mail alone never moves funds. */
export function FactorStep() {
  const { t } = useTranslation();
  const here = useLocation({ select: (location) => location.href });
  return (
    <Section title={t("join.factor")} note={t("join.factorNote")}>
      <Stack gap="large">
        <AddPasskey />
        <p>
          <TextLink to="/security" search={{ next: here }}>
            {t("join.factorOther")}
          </TextLink>
        </p>
      </Stack>
    </Section>
  );
}
