import { createRootRoute } from "@tanstack/react-router";
import { Layout } from "@/app/Layout";
import { MissingPage } from "@/app/MissingPage";
import { PageFault } from "@/app/PageFault";

/** What every page stands in. */
export const root = createRootRoute({
  component: Layout,
  notFoundComponent: MissingPage,
  errorComponent: PageFault,
});
