package mount

// Parsed is what the options of a mount come to, for tests.
type Parsed struct {
	Flags               uintptr
	Set, Clear          uint64
	AllSet, AllClear    uint64
	Propagation         []uintptr
	Data                []string
	Loop, Direct, Maps  bool
	FirstUID, FirstSize uint32
}

// Parse gives the tests what parse finds.
func Parse(words []string) (Parsed, error) {
	o, err := parse(words)
	if err != nil {
		return Parsed{}, err
	}
	p := Parsed{Flags: o.flags, Set: o.attr.Set, Clear: o.attr.Clr, AllSet: o.recursive.Set, AllClear: o.recursive.Clr,
		Propagation: o.propagation, Data: o.data, Loop: o.loop, Direct: o.direct, Maps: o.uidMaps != nil}
	if p.Maps {
		p.FirstUID, p.FirstSize = o.uidMaps[0].HostID, o.uidMaps[0].Size
	}
	return p, nil
}

// Shorten is shorten.
func Shorten(data []string) (base, short string) { return shorten(data) }

// MappedSuffix is mappedSuffix.
const MappedSuffix = mappedSuffix
