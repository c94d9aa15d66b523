// Package swarm is the commands of docker for things that dhow has not: swarms and what is in them, and plugins. They ask the
// daemon, which says that this node is not part of a swarm, in the words that scripts know.
package swarm
