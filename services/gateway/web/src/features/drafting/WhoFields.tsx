import { Checkbox, Radio } from "@mantine/core";
import { Controller, useFormContext } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Fields } from "@/shared/Form";
import { Loaded } from "@/shared/Loaded";
import { Section } from "@/shared/Section";
import { useSuppliers } from "@/shared/suppliers";
import { type DraftValues, VISIBILITIES } from "./draft";
import { labelOf } from "./labels";

/** Who may see the campaign, and which suppliers it is meant for. */
export function WhoFields() {
  const { t } = useTranslation();
  const { control, formState } = useFormContext<DraftValues>();
  const { errors } = formState;
  const suppliers = useSuppliers(true);
  return (
    <Section title={t("draft.who")}>
      <Fields width="wide">
        <Controller
          control={control}
          name="visibility"
          render={({ field }) => (
            <Radio.Group
              label={t(labelOf("visibility"))}
              error={errors.visibility?.message}
              {...field}
            >
              {VISIBILITIES.map((each) => (
                <Radio key={each} mt="xs" value={each} label={t(`draft.visibility.${each}`)} />
              ))}
            </Radio.Group>
          )}
        />
        <Loaded query={suppliers}>
          {(all) => (
            <Controller
              control={control}
              name="supplier_ids"
              render={({ field }) => (
                <Checkbox.Group
                  label={t(labelOf("supplier_ids"))}
                  description={t("draft.suppliersNote")}
                  error={errors.supplier_ids?.message}
                  {...field}
                >
                  {all.map(({ id, display_name }) => (
                    <Checkbox key={id} mt="xs" value={id} label={display_name} />
                  ))}
                </Checkbox.Group>
              )}
            />
          )}
        </Loaded>
      </Fields>
    </Section>
  );
}
