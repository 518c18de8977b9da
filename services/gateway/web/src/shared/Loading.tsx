import { Skeleton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./Loading.module.css";

const LINES = ["62%", "100%", "84%"] as const;

/** What a part looks like before its content has come. */
export function Loading({ blocks = 1 }: { blocks?: number }) {
  const { t } = useTranslation();
  return (
    <div className={classes.loading} role="status" aria-label={t("common.loading")}>
      {Array.from({ length: blocks }, (_, block) => (
        // The blocks are all alike and never change places.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <div key={block} className={classes.block}>
          {LINES.map((width) => (
            <Skeleton key={width} height={16} width={width} radius="sm" />
          ))}
        </div>
      ))}
    </div>
  );
}
