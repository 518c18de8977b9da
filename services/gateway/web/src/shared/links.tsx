import { Anchor, Button } from "@mantine/core";
import { createLink } from "@tanstack/react-router";

/** A link in running text, and one that looks like an act; both know the routes of the site. */
export const TextLink = createLink(Anchor<"a">);
export const ButtonLink = createLink(Button<"a">);
