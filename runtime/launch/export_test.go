package launch

import "encoding/binary"

var le = binary.LittleEndian
