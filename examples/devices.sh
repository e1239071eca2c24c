#!/bin/sh
# Train two lists of models at once. Each training of either list has its own devices.
#
# The devices are those that CUDA_VISIBLE_DEVICES lists; without it, all NVIDIA devices of the machine.
# usage: CUDA_VISIBLE_DEVICES=0,1 ./devices.sh small.txt large.txt
set -eu

small=$(jobctl submit "$1" -q --name small --gpus-per-item 1 -- ./train --device cuda:0 '{}')
large=$(jobctl submit "$2" -q --name large --gpus-per-item 2 -- ./train --devices 2 '{}')

jobctl daemon run --drain # or use a daemon that is already running
jobctl wait "$small" "$large"
