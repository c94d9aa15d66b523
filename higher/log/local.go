package log

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/dhow-containers/dhow/shim/wire"
)

// localFormat is Docker's driver local: protobuf messages, each between two copies of its length.
type localFormat struct{}

var errLocal = errors.New("the log is no log of the driver local")

func (localFormat) cut(b []byte) (int, error) {
	if len(b) < 4 {
		return 0, nil
	}
	n := int64(binary.BigEndian.Uint32(b))
	if n > maxEntry {
		return 0, errLocal
	}
	if int64(len(b)) < n+8 {
		return 0, nil
	}
	if int64(binary.BigEndian.Uint32(b[n+4:])) != n {
		return 0, errLocal
	}
	return int(n + 8), nil
}

// decode reads a LogEntry (shim/logfile).
func (localFormat) decode(b []byte, e *entry) error {
	*e = entry{line: e.line[:0]}
	ends := true
	err := wire.Fields(b[4:len(b)-4], func(number int, v wire.Value) error {
		switch number {
		case 1:
			e.stream = v.String()
		case 2:
			e.at = time.Unix(0, int64(v.Uint))
		case 3:
			e.line = append(e.line, v.Bytes...)
		case 5:
			ends = false
			return wire.Fields(v.Bytes, func(number int, v wire.Value) error {
				ends = ends || number == 1 && v.Bool()
				return nil
			})
		}
		return nil
	})
	if ends {
		e.line = append(e.line, '\n')
	}
	return err
}
