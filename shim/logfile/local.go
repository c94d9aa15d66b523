package logfile

import (
	"encoding/binary"
	"io"
	"os"
)

// appendLocal writes an entry as Docker's driver local does: a protobuf message LogEntry {string source = 1; int64
// time_nano = 2; bytes line = 3; bool partial = 4; PartialLogEntryMetadata partial_log_metadata = 5} between two copies
// of its length.
func appendLocal(b []byte, e *entry) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = appendBytes(b, 1, []byte(e.stream))
	b = binary.AppendUvarint(append(b, 2<<3), uint64(e.at.UnixNano()))
	if len(e.line) > 0 {
		b = appendBytes(b, 3, e.line)
	}
	if p := e.part; p != nil {
		b = append(b, 4<<3, 1)
		b = appendBytes(b, 5, appendPart(nil, p))
	}
	n := uint32(len(b) - start - 4)
	binary.BigEndian.PutUint32(b[start:], n)
	return binary.BigEndian.AppendUint32(b, n)
}

// appendPart writes a PartialLogEntryMetadata {bool last = 1; string id = 2; int32 ordinal = 3}.
func appendPart(b []byte, p *part) []byte {
	if p.last {
		b = append(b, 1<<3, 1)
	}
	b = appendBytes(b, 2, []byte(p.id))
	return binary.AppendUvarint(append(b, 3<<3), uint64(p.ordinal))
}

func appendBytes(b []byte, field byte, v []byte) []byte {
	b = binary.AppendUvarint(append(b, field<<3|2), uint64(len(v)))
	return append(b, v...)
}

// maxLocal is more than an entry can have.
const maxLocal = 1 << 20

// wholeLocal is how many bytes of a file are whole entries.
func wholeLocal(f *os.File, size int64) (int64, error) {
	if ok, err := endsWhole(f, size); ok || err != nil {
		return size, err
	}
	for at := int64(0); ; {
		n, err := lengthAt(f, at)
		if err != nil {
			return at, ignoreEOF(err)
		}
		again, err := lengthAt(f, at+4+n)
		if err != nil || again != n || n > maxLocal {
			return at, ignoreEOF(err)
		}
		at += n + 8
	}
}

// endsWhole says whether the last bytes are an entry.
func endsWhole(f *os.File, size int64) (bool, error) {
	if size < 8 {
		return size == 0, nil
	}
	n, err := lengthAt(f, size-4)
	if err != nil || n > size-8 {
		return false, err
	}
	first, err := lengthAt(f, size-8-n)
	return err == nil && first == n, err
}

func lengthAt(f *os.File, at int64) (int64, error) {
	var b [4]byte
	_, err := f.ReadAt(b[:], at)
	return int64(binary.BigEndian.Uint32(b[:])), err
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
