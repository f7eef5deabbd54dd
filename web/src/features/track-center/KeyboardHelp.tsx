import { Kbd, Modal, Table } from "@mantine/core";
import { useText } from "../../i18n/Language";
import { useOpened } from "./useOpened";

/** Lists the shortcuts; `?` opens it. */
export default function KeyboardHelp({
  opened,
  onClose,
}: {
  opened: boolean;
  onClose: () => void;
}) {
  const t = useText();
  const rows: [string[], string][] = [
    [["/"], t.help.search],
    [["j"], t.help.down],
    [["k"], t.help.up],
    [["Enter"], t.help.open],
    [["x"], t.help.tick],
    [["n", "p"], t.help.pages],
    [["d"], t.lookup.label],
    [["t"], t.work.open],
    [["Esc"], t.help.close],
    [["?"], t.help.help],
  ];
  return (
    <Modal
      opened={useOpened(opened)}
      onClose={onClose}
      title={t.help.title}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <Table withRowBorders={false}>
        <Table.Tbody>
          {rows.map(([keys, meaning]) => (
            <Table.Tr key={meaning}>
              <Table.Th scope="row" w={90}>
                {keys.map((key) => (
                  <Kbd key={key} mr={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Th>
              <Table.Td>{meaning}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
