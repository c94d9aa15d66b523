// Package config is the user's configuration file as docker keeps it (~/.docker/config.json, DOCKER_CONFIG): credentials and
// the helpers that keep them, formats, detach keys, proxies, the context in use. Everything in the file that dhow does not know
// is kept when it writes.
package config
