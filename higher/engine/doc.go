// Package engine puts the managers together to what the API serves (api.Backend): each noun's manager answers for its
// noun, and the engine for what goes over several: information about the host, disk usage, events, commit.
//
// Its state is one bbolt database (dhow.db below the data root), which the managers share, beside the images' own.
package engine
