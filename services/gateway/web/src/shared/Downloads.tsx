import { Button } from "@mantine/core";
import { Stack } from "@/shared/Stack";

export interface Download {
  label: string;
  href: string;
}

/** Files to keep, beside each other; the server names them. */
export function Downloads({ files }: { files: readonly Download[] }) {
  return (
    <Stack direction="row">
      {files.map(({ label, href }) => (
        <Button key={href} component="a" variant="default" size="xs" href={href} download>
          {label}
        </Button>
      ))}
    </Stack>
  );
}
