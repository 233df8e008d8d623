"""Trials (to come)."""

from fastapi import APIRouter

router = APIRouter(prefix="/trials", tags=["trials"])
