import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * A dialog that is open while it is mounted. It is closed before it leaves the page, as a layout effect, for only then
 * does the browser give the focus back.
 */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element?.open === false) element.showModal();
    return () => element?.close();
  }, []);
  return dialog;
}
