import type { PostalAddress } from "@/api/types";
import classes from "./Address.module.css";

/** An address as it stands on a parcel. */
export function AddressLines({ address }: { address: PostalAddress }) {
  return (
    <address className={classes.lines}>
      {linesOf(address).map((line) => (
        <span key={line.key}>{line.text}</span>
      ))}
    </address>
  );
}

function linesOf(address: PostalAddress) {
  const place = `${address.city}, ${address.region} ${address.postal_code}`;
  const lines = [address.recipient, ...address.lines, place];
  return lines.map((text, number) => ({ key: `${number} ${text}`, text }));
}
