// Which dialog is open. One at a time; ui/Dialogs.tsx draws them.

import { create } from 'zustand';

export const DIALOGS = ['stop', 'help'] as const;
export type DialogName = (typeof DIALOGS)[number];

export const useDialog = create<{ readonly open: DialogName | null }>(() => ({ open: null }));

export const openDialog = (open: DialogName): void => useDialog.setState({ open });
export const closeDialog = (): void => useDialog.setState({ open: null });
