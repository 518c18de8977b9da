import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { ComponentPropsWithRef } from "react";

type LinkElement = Omit<ComponentPropsWithRef<"a">, keyof AnchorProps | keyof ButtonProps>;

/** Without its element named, a button-like link would be a button that leads nowhere. */
function AnchorButton(props: ButtonProps & LinkElement) {
  return <Button component="a" {...props} />;
}

function AnchorText(props: AnchorProps & LinkElement) {
  return <Anchor {...props} />;
}

/** A link in running text, and one that looks like an act; both know the routes of the site. */
export const TextLink = createLink(AnchorText);
export const ButtonLink = createLink(AnchorButton);
