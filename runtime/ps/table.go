package ps

import (
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// WriteTable prints a heading and a line for each process. One that ends meanwhile is left out.
func WriteTable(w io.Writer, columns []Column, pids []int) error {
	rows, err := Rows(columns, pids)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, layOut(columns, rows))
	return err
}

// Rows are the heading and a row for each process. One that ends meanwhile is left out.
func Rows(columns []Column, pids []int) ([][]string, error) {
	h, err := readHost()
	if err != nil {
		return nil, err
	}
	rows := [][]string{make([]string, len(columns))}
	for i, c := range columns {
		rows[0][i] = c.head
	}
	for _, pid := range pids {
		p, err := readProcess(pid)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return nil, err
		}
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = strings.Map(printable, c.text(h, p))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// layOut pads the cells; a column grows with its widest cell, and the last one is not padded.
func layOut(columns []Column, rows [][]string) string {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = max(c.width, -c.width)
		for _, row := range rows {
			widths[i] = max(widths[i], len(row[i]))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len(cell))
			last := i == len(row)-1
			switch {
			case columns[i].width > 0:
				b.WriteString(pad + cell)
			case last:
				b.WriteString(cell)
			default:
				b.WriteString(cell + pad)
			}
			if !last {
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
