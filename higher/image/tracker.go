package image

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/jsonstream"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// progressEvery bounds how often a client hears of how far one layer is.
const progressEvery = 100 * time.Millisecond

// tracker tells a client how far layers are, in Docker's words. Many goroutines tell it; it tells the client in turn, and
// nothing more once it is closed.
type tracker struct {
	mu     sync.Mutex
	client api.Progress // nil once closed
	layers map[digest.Digest]*tracked
	chain  map[string]*tracked // by chain id
}

// tracked is a layer on its way.
type tracked struct {
	id     string
	size   int64
	action string    // last one that was told
	told   time.Time // when
	made   bool      // it is unpacked, only the blob is missing
	done   bool      // the layer is complete, as the client knows
}

func newTracker(client api.Progress, one *manifest) *tracker {
	t := &tracker{client: client}
	t.add(one)
	return t
}

// add makes a manifest's layers known, instead of those of another.
func (t *tracker) add(one *manifest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.layers, t.chain = map[digest.Digest]*tracked{}, map[string]*tracked{}
	chain := one.chain()
	for i, desc := range one.layers {
		l := t.layers[desc.Digest]
		if l == nil {
			l = &tracked{id: short(desc.Digest), size: desc.Size}
			t.layers[desc.Digest] = l
		}
		if i < len(chain) {
			t.chain[chain[i]] = l
		}
	}
}

// layer finds a layer; nil for another blob.
func (t *tracker) layer(desc ocispec.Descriptor) *tracked {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.layers[desc.Digest]
}

// close ends what the client hears from goroutines that are still at work.
func (t *tracker) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.client = nil
}

// message tells something that is not about a layer.
func (t *tracker) message(id, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		t.client(jsonstream.Message{ID: id, Status: text})
	}
}

// aux tells something for programs.
func (t *tracker) aux(raw json.RawMessage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		t.client(jsonstream.Message{Aux: &raw, Progress: &jsonstream.Progress{}})
	}
}

// say tells what a layer has come to.
func (t *tracker) say(l *tracked, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sayLocked(l, text)
}

func (t *tracker) sayLocked(l *tracked, text string) {
	if t.client == nil || l.done {
		return
	}
	l.action, l.told = text, time.Time{}
	t.client(jsonstream.Message{ID: l.id, Status: text, Progress: &jsonstream.Progress{}})
}

// waiting tells something of layers that nothing was told of so far.
func (t *tracker) waiting(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.layers {
		if l.action == "" {
			t.sayLocked(l, text)
		}
	}
}

// progress tells how many bytes of a layer have been worked on; not each time.
func (t *tracker) progress(desc ocispec.Descriptor, action string, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.layers[desc.Digest]
	if l == nil || t.client == nil || l.done {
		return
	}
	now := time.Now()
	if l.action == action && n < l.size && now.Sub(l.told) < progressEvery {
		return
	}
	l.action, l.told = action, now
	t.client(jsonstream.Message{ID: l.id, Status: action, Progress: &jsonstream.Progress{Current: n, Total: l.size}})
}

// downloaded tells that a blob is there.
func (t *tracker) downloaded(l *tracked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sayLocked(l, "Download complete")
	if l.made {
		t.sayLocked(l, "Pull complete")
		l.done = true
	}
}

// exists notes that a layer has been here before. A client hears of it unless all of the image has.
func (t *tracker) exists(chainID string, tell bool) {
	text := ""
	if tell {
		text = "Already exists"
	}
	t.finish(chainID, text)
}

// finish tells that a layer is complete, unless text is empty.
func (t *tracker) finish(chainID, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.chain[chainID]
	if l == nil || l.done {
		return
	}
	if text != "" {
		t.sayLocked(l, text)
	}
	l.done = true
}
