import { Button, CopyButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./Hash.module.css";

/** A hash, whole, so that it can be compared, with a way to copy it. */
export function Hash({ value }: { value: string }) {
  const { t } = useTranslation();
  return (
    <span className={classes.hash}>
      <code className={classes.code}>{value}</code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button variant="default" size="compact-xs" onClick={copy} data-no-print>
            {copied ? t("common.copied") : t("common.copy")}
          </Button>
        )}
      </CopyButton>
    </span>
  );
}
