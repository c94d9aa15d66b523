package spec

// These functions are the vocabulary of the generated decoders: how Go's composite types are filled. null
// empties a pointer, list or map, as in encoding/json. Of several equal keys the last wins: an object or map
// is added to (as encoding/json does), a list is replaced (encoding/json would mix the elements of both).

// pointer consumes null and returns nil, or returns where the value goes.
func pointer[T any](d *decoder, p **T) *T {
	if d.Null() {
		*p = nil
	} else if *p == nil {
		*p = new(T)
	}
	return *p
}

// list decodes an array.
func list[T any](d *decoder, p *[]T, decode func(*decoder, *T)) {
	if d.Null() {
		*p = nil
		return
	}
	if !d.Array() {
		return
	}
	items := []T{}
	for d.More() {
		if len(items) == cap(items) {
			items = append(make([]T, 0, max(4, 4*cap(items))), items...)
		}
		items = items[:len(items)+1]
		decode(d, &items[len(items)-1])
	}
	*p = items
}

// dict decodes an object whose keys are data.
func dict[T any](d *decoder, p *map[string]T, decode func(*decoder, *T)) {
	if d.Null() {
		*p = nil
		return
	}
	if !d.Object() {
		return
	}
	if *p == nil {
		*p = make(map[string]T)
	}
	for d.Next() {
		key := d.Name()
		var value T
		decode(d, &value)
		(*p)[key] = value
	}
}

// stringList decodes an array of strings. The lists of a document are laid end to end in a few allocations; each
// is capped, so that appending to one cannot reach the next.
func stringList(d *decoder, p *[]string) {
	if d.Null() {
		*p = nil
		return
	}
	if !d.Array() {
		return
	}
	start := len(d.arena)
	for d.More() {
		if len(d.arena) == cap(d.arena) {
			larger := make([]string, 0, max(64, 2*cap(d.arena)))
			d.arena = append(larger, d.arena[start:]...)
			start = 0
		}
		d.arena = append(d.arena, "")
		d.String(&d.arena[len(d.arena)-1])
	}
	if *p = d.arena[start:len(d.arena):len(d.arena)]; *p == nil {
		*p = []string{}
	}
}

// decodeText decodes one of the specification's enumerations.
func decodeText[T ~string](d *decoder, p *T) {
	s := string(*p)
	d.String(&s)
	*p = T(s)
}

func decodeString(d *decoder, p *string) { d.String(p) }
func decodeUint32(d *decoder, p *uint32) { d.Uint32(p) }
