import { Button, Checkbox } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { TokenScope } from "@/api/types";
import { Form } from "@/shared/Form";
import { ProblemNotice } from "@/shared/ProblemNotice";
import classes from "./Kit.module.css";
import type { useMakeToken } from "./queries";

interface TokenFormProps {
  offered: readonly TokenScope[];
  make: ReturnType<typeof useMakeToken>;
}

/** Choose what a new token may ask. Nothing is chosen beforehand. */
export function TokenForm({ offered, make }: TokenFormProps) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<TokenScope[]>([]);
  const [missing, setMissing] = useState(false);

  const choose = (scope: TokenScope, wanted: boolean) => {
    setChosen(offered.filter((each) => (each === scope ? wanted : chosen.includes(each))));
    setMissing(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(chosen.length === 0);
    if (chosen.length > 0) make.mutate(chosen, { onSuccess: () => setChosen([]) });
  };

  return (
    <Form width="wide" onSubmit={submit}>
      {make.isError ? <ProblemNotice error={make.error} /> : null}
      <Checkbox.Group
        label={t("kit.token.scopes")}
        description={t("kit.token.scopesNote")}
        error={missing ? t("kit.token.scopeNeeded") : undefined}
        value={chosen}
      >
        {offered.map((scope) => (
          <Checkbox
            key={scope}
            className={classes.choice}
            value={scope}
            label={t(`kit.scope.${scope}`)}
            description={t(`kit.scopeNote.${scope}`)}
            onChange={(event) => choose(scope, event.currentTarget.checked)}
          />
        ))}
      </Checkbox.Group>
      <div>
        <Button type="submit" loading={make.isPending}>
          {t("kit.token.make")}
        </Button>
      </div>
    </Form>
  );
}
